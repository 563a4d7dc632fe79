import { SharedBuffer, parentPort, workerData } from '../../../lib/index.mjs';

parentPort.once('message', ({ add }) => {
  add.add(0, 1);
  parentPort.postMessage([workerData.shared.load(0), workerData.shared instanceof SharedBuffer]);
});
