'use strict';

/**
 * Which thread a worker is that the inspector's domain NodeWorker has attached to: the `workerId` that it tells counts the workers of
 * a session, and is no thread id.
 *
 * Relies on: the title that Node 20 gives a Worker, `[worker <thread id>] <name>`.
 * Without: -1, so that such a worker counts as one that cannot be profiled. Later versions of Node profile a worker by its Worker.
 * Test: __test__/seeing/cpu-profile.test.js.
 */

/** @param {{ title: string }} info of the event `NodeWorker.attachedToWorker` */
const threadOf = ({ title }) => Number(/^\[worker (\d+)\]/.exec(title)?.[1] ?? -1);

module.exports = { threadOf };
