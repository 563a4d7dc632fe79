import { MessageChannel, MessagePort, WorkerPool, carry, receiveMessageOnPort } from 'rust-workers';
import * as nodeThreads from 'node:worker_threads';

const { port1, port2 } = new MessageChannel({ capacity: 10, keepBuffers: true });
const asNode: nodeThreads.MessagePort = port1;
asNode.on('message', (value) => void value);
const sent: boolean = port1.trySend({ a: 1 }, [new ArrayBuffer(1)]);
const waiting: Promise<void> = port1.send(1);
const received: Promise<unknown> = port2.receive({ timeout: 5, signal: AbortSignal.abort() });
const blocked: unknown = port2.receiveSync(5);
void receiveMessageOnPort(port1)?.message;
async function all(port: MessagePort) {
  for await (const value of port) void value;
}
new nodeThreads.Worker('').postMessage(...carry({ port2 }, [port2]));
const count: Promise<number> = new WorkerPool().run('primes', { limit: 5, port: port2 }, { transfer: [port2] });
// @ts-expect-error no such option
new MessageChannel({ size: 1 });
// @ts-expect-error ports are made by channels
new MessagePort();
void [sent, waiting, received, blocked, all, count];
