/** A Worker of the service's own. */
import { Mutex, workerData } from 'rust-workers';

const { total, port, rounds } = workerData;
const mutex = Mutex.from(workerData.mutex);
for (let round = 0; round < rounds; round++) {
  const guard = mutex.lockSync();
  total.store(0, total.load(0) + 1);
  guard.release();
}
await port.send('done');
port.close();
