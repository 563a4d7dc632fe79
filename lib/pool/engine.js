'use strict';

/**
 * The engine of a pool (`pool.engine`): an External that other addons in the process take (include/rust_workers_napi.h), to submit to the
 * same threads. It refers to the native side alone, so a pool that is forgotten is closed all the same; submissions are refused then.
 */

const { binding } = require('../native');
const { InvalidArgValueError, PoolClosedError } = require('../errors');
const { NO_SEED } = require('../task/deterministic');

/**
 * @param {import('../task/native-pool').NativePool} native
 * @param {{ deterministic: number }} settings
 * @param {boolean} isClosed
 * @returns {object} always the same of one pool
 */
function engineOf(native, settings, isClosed) {
  if (native.engine !== undefined) return native.engine;
  if (settings.deterministic !== NO_SEED) {
    throw new InvalidArgValueError(
      'a pool with "options.deterministic" has no engine: what other addons submit comes in no certain order. Make a pool without it',
    );
  }
  const engine = isClosed ? undefined : binding.openEngine(native.handle);
  if (engine === undefined) throw new PoolClosedError('the pool is closed, so it has no engine: ask for it before');
  native.engine = engine;
  nameTasks(native);
  return engine;
}

/** Other addons may name the tasks of the packs that the pool uses. */
function nameTasks({ handle, tasks }) {
  const ofPacks = [...tasks.packs.values()].flatMap((pack) => pack.tasks);
  if (ofPacks.length > 0) binding.nameEngineTasks(handle, ofPacks.map(({ name }) => name), ofPacks.map(({ number }) => number));
}

module.exports = { engineOf, nameTasks };
