/** The error classes as TypeScript sees them. Nothing here runs. */

import { errors } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

function narrowing(error: unknown) {
  if (error instanceof errors.QueueFullError) {
    expect<Equal<typeof error.code, 'ERR_RW_QUEUE_FULL'>>();
    expect<Equal<typeof error.input, unknown>>();
  }
  if (error instanceof errors.TaskCancelledError) expect<Equal<typeof error.name, 'AbortError'>>();
  if (error instanceof errors.TaskTimeoutError) expect<Equal<typeof error.name, 'TimeoutError'>>();
  if (error instanceof errors.BindingNotFoundError) error.attempts.map(({ what }) => what.length);
}

function placing(range: errors.OutOfRangeError, type: errors.InvalidInputError) {
  const asRange: RangeError = range;
  const asType: TypeError = type;
  // @ts-expect-error: a RangeError of the language has no code
  const back: errors.OutOfRangeError = new RangeError('x');
  return [asRange, asType, back];
}

/** A code tells the conditions apart. */
function byCode(error: errors.PoolClosedError | errors.QueueFullError) {
  if (error.code === 'ERR_RW_QUEUE_FULL') expect<Equal<typeof error, errors.QueueFullError>>();
  // @ts-expect-error: not one of the two codes
  return error.code === 'ERR_RW_TASK_FAILED';
}

export = { narrowing, placing, byCode };
