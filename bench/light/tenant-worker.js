'use strict';

/** Tenants in a Worker, each a context of node:vm there: for Workers by hand, and as the script of pools. */

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const vm = require('node:vm');

const tenants = new Map();

function run({ tenant, source, input }) {
  let work = tenants.get(tenant);
  if (work === undefined) {
    work = new vm.Script(`(${source})`).runInContext(vm.createContext({}));
    tenants.set(tenant, work);
  }
  return work(input);
}

const forget = ({ tenant }) => tenants.delete(tenant);

module.exports = run;
module.exports.run = run;
module.exports.forget = forget;

if (!isMainThread && workerData?.byHand) {
  parentPort.on('message', ({ id, ...task }) => parentPort.postMessage({ id, output: run(task) }));
}
