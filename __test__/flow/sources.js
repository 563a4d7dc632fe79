'use strict';

/** Sources of every kind, each of which tells how far it was read, and whether it was closed. */

const { Readable } = require('node:stream');

/**
 * A source of `values`.
 *
 * @param {string} kind a name of `kinds`
 * @param {unknown[]} values
 * @param {{ quiet?: boolean, fails?: unknown }} [more] whether it says nothing after the values; or what it throws then
 * @returns {{ source: object, seen: { read: number, closed: number } }}
 */
function sourceOf(kind, values, { quiet = false, fails } = {}) {
  const seen = { read: 0, closed: 0 };
  let at = 0;
  const step = () => {
    if (at < values.length) {
      seen.read++;
      return { done: false, value: values[at++] };
    }
    if (fails !== undefined) throw fails;
    return { done: true, value: undefined };
  };
  const stepLater = async () => {
    await null;
    if (at === values.length && quiet) return new Promise(() => {});
    return step();
  };
  return { source: kinds[kind]({ seen, step, stepLater, values }), seen };
}

const kinds = {
  iterable: ({ seen, step }) => ({
    [Symbol.iterator]: () => ({
      next: step,
      return() {
        seen.closed++;
        return {};
      },
    }),
  }),
  *generator({ seen, step }) {
    let isDone = false;
    try {
      for (;;) {
        let result;
        try {
          result = step();
        } catch (error) {
          isDone = true;
          throw error;
        }
        if (result.done) {
          isDone = true;
          return;
        }
        yield result.value;
      }
    } finally {
      if (!isDone) seen.closed++;
    }
  },
  'async iterable': ({ seen, stepLater }) => ({
    [Symbol.asyncIterator]: () => ({
      next: stepLater,
      return() {
        seen.closed++;
        return Promise.resolve({});
      },
    }),
  }),
  Readable: ({ seen, stepLater }) =>
    new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        stepLater().then(
          ({ done, value }) => this.push(done ? null : value),
          (error) => this.destroy(error),
        );
      },
      destroy(error, callback) {
        if (!this.readableEnded && error === null) seen.closed++;
        callback(error);
      },
    }),
  ReadableStream: ({ seen, stepLater }) =>
    new ReadableStream(
      {
        async pull(controller) {
          const { done, value } = await stepLater();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel() {
          seen.closed++;
        },
      },
      { highWaterMark: 0 },
    ),
};

module.exports = { kinds: Object.keys(kinds), sourceOf };
