'use strict';

// Random programs on channels. `generate(seed)` makes one; `run` performs it with Node's worker_threads or with ours and
// gives back what each end has seen. Between two steps everything settles, so timing is no difference.

const { createRandom } = require('../../support/random-values');

/** Two channels: ends 0 and 1, 2 and 3. */
const ENDS = 4;
const KINDS = [
  'number', 'number', 'number', 'number', 'blob', 'bytes', 'big', 'shared', 'same memory', 'undefined', 'error', 'moved',
  'port', 'map', 'uncloneable', 'regexp', 'buffer and blob',
];
/** What a listener does besides noting the message. */
const MANNERS = ['plain', 'plain', 'plain', 'plain', 'throws', 'rejects', 'bad thenable', 'tick', 'microtask'];
const QUIET = ['plain', 'plain', 'plain', 'tick', 'microtask'];
const THROWING = new Set(['throws', 'rejects', 'bad thenable']);
const WAYS = ['now', 'now', 'microtask', 'tick', 'immediate'];
const AT_ONCE = ['now', 'microtask', 'tick'];
const HOWS = ['on', 'on', 'once', 'onmessage', 'listener', 'listener once', 'object', 'bad object', 'addListener', 'both'];

const turns = async (count) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

function generate(seed) {
  const random = createRandom(seed);
  const pick = (list) => list[random(list.length)];
  let number = 0;
  const content = () => [pick(KINDS), ++number];
  // In which order different ports get their turn is nowhere promised. Ours have Node's order, but not where listeners
  // throw (Node then gives one message a turn) nor for ports that come while others have theirs. So in some programs
  // listeners throw and move as they like, and do it to their own end only; in others they do everything else to all.
  const crossing = random(3) === 0;
  const manner = () => pick(crossing ? QUIET : MANNERS);

  const action = (depth, only) => {
    const end = crossing ? random(ENDS) : (only ?? random(ENDS));
    const choice = random(depth === 0 ? 32 : 24);
    if (choice < 7) return { do: 'post', end, list: Array.from({ length: 1 + random(6) }, content) };
    if (choice < 10) {
      if (depth === 0) return { do: 'move', end, way: pick(WAYS) };
      return crossing ? { do: 'take', end } : { do: 'move', end, way: pick(AT_ONCE) };
    }
    if (choice < 12) return { do: 'refused move', end, how: random(4) };
    // Whether an immediate comes before or after the next message is nowhere promised.
    if (choice === 12) return { do: random(2) === 0 ? 'close' : 'off', end, way: depth === 0 ? pick(WAYS) : pick(AT_ONCE) };
    if (choice < 15) return { do: 'take', end };
    if (choice === 15) return { do: 'start', end };
    if (choice === 16) return { do: 'ref', end, to: random(2) === 0 };
    if (choice === 17) return { do: random(3) === 0 ? 'remove all' : 'off', end };
    if (choice === 18) return { do: 'emit', end, number: ++number };
    if (choice === 19) return depth > 1 ? { do: 'take', end } : { do: 'getter', end, number: ++number, then: action(depth + 2, end) };
    if (choice === 20) return { do: 'swap', end, how: pick(HOWS), manner: manner() };
    // Of more than 1,000 Node gives all that wait at once; ours let the rest of the loop have a turn.
    if (choice === 21 && depth === 0) return { do: 'burst', end, count: 100 + random(300), number: (number += 2000) };
    return { do: 'listen', end, how: pick(HOWS), manner: manner() };
  };

  const steps = Array.from({ length: 4 + random(9) }, () => action(0));
  const inside = {};
  for (let count = random(6); count > 0; count--) {
    const end = random(ENDS);
    inside[`${end}:${random(8)}`] = action(1, end);
  }
  return { seed, steps, inside, closeListener: random(4) };
}

/** What stands in the log for a message; a port in it is emptied. */
function labelOf(message, takeOne) {
  if (message === undefined) return 'undefined';
  if (message === null) return 'null';
  if (typeof message !== 'object') return `${message}`;
  const { n } = message;
  const parts = [`n${n}`];
  for (const [key, value] of Object.entries(message)) {
    if (key === 'n') continue;
    if (key === 'port') {
      const inner = [];
      for (let got = takeOne(value); got !== undefined; got = takeOne(value)) inner.push(labelOf(got.message, takeOne));
      value.close();
      parts.push(`port(${inner.join(' ')})`);
    } else if (typeof value === 'object' && value !== null) {
      parts.push(`${value.constructor.name}${value.byteLength ?? value.size ?? value.message ?? ''}`);
    } else {
      parts.push(`${key}${String(value).length}`);
    }
  }
  return parts.join('/');
}

async function run(threads, { steps, inside, closeListener }, uncaught) {
  const { MessageChannel, receiveMessageOnPort: takeOne } = threads;
  const log = Array.from({ length: ENDS }, () => []);
  const seen = new Array(ENDS).fill(0);
  const left = new Array(ENDS).fill(0);
  const closing = new Array(ENDS).fill(false);
  const ended = new Array(ENDS).fill(false);
  const listening = new Array(ENDS).fill(undefined);
  const sameMemory = new SharedArrayBuffer(24);
  const carrier = new MessageChannel();
  const ports = [];
  uncaught((error) => log[error.end ?? 0].push(`uncaught ${error?.message ?? error}`));
  /** For who catches it, the end it belongs to: between ends there is no promised order. */
  const failure = (end, what) => Object.assign(new Error(`${what} at ${end}:${seen[end]}`), { end });
  const settled = async () => {
    const noted = () => log.reduce((sum, lines) => sum + lines.length, 0);
    for (let before = -1; before !== noted(); ) {
      before = noted();
      await turns(6);
    }
  };

  function watch(end) {
    const port = ports[end];
    port.on('messageerror', (error) => log[end].push(`messageerror ${error.name}`));
    port.on('close', () => {
      // When the object closes that a port has left is nothing to those at its new place.
      if (port !== ports[end]) return left[end]++;
      ended[end] = true;
      log[end].push('close');
      if (closeListener === 0) throw failure(end, 'close');
      return undefined;
    });
  }
  for (let end = 0; end < ENDS; end += 2) {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    watch(end);
    watch(end + 1);
  }

  function value(kind, n) {
    switch (kind) {
      case 'blob': return [{ n, blob: new Blob(['blob']) }];
      case 'bytes': return [{ n, bytes: new Uint8Array(3000) }];
      case 'big': return [{ n, text: 'y'.repeat(20_000 + n) }];
      case 'shared': return [{ n, memory: new SharedArrayBuffer(8) }];
      case 'same memory': return [{ n, memory: sameMemory }];
      case 'undefined': return [undefined];
      case 'error': return [{ n, error: new RangeError(`e${n}`) }];
      case 'moved': {
        const buffer = new ArrayBuffer(64);
        return [{ n, buffer }, [buffer]];
      }
      case 'port': {
        const { port1, port2 } = new MessageChannel();
        for (let i = 0; i < n % 4; i++) port1.postMessage(i % 2 === 0 ? i : { n: i, blob: new Blob(['inner']) });
        if (n % 3 === 0) port1.close();
        return [{ n, port: port2 }, [port2]];
      }
      case 'map': return [{ n, map: new Map([[n, new Set([n])]]) }];
      case 'uncloneable': return [{ n, inner: [() => {}] }];
      case 'regexp': return [{ n, regexp: /x/g, date: new Date(n) }];
      case 'buffer and blob': return [{ n, buffer: Buffer.from('abc').buffer.slice(0, 5), blob: new Blob(['x']) }];
      default: return [n];
    }
  }

  function got(end, message, manner, ports) {
    log[end].push(labelOf(message, takeOne) + (ports ? `[${ports.length}]` : ''));
    const then = inside[`${end}:${seen[end]++}`];
    if (then !== undefined) perform(then);
    switch (manner) {
      case 'throws': throw failure(end, manner);
      case 'rejects': return Promise.reject(failure(end, manner));
      case 'bad thenable': return { get then() { throw failure(end, manner); } };
      case 'tick': process.nextTick(() => log[end].push('tick')); break;
      case 'microtask': queueMicrotask(() => log[end].push('microtask'));
    }
    return undefined;
  }

  function listen(end, how, wish) {
    const port = ports[end];
    const manner = closing[end] ? 'plain' : wish;
    off(end);
    const mine = { how, throws: THROWING.has(manner) || how === 'bad object' && !closing[end] };
    const gone = () => {
      if (listening[end] === mine) listening[end] = undefined;
    };
    const ofValue = (message) => got(end, message, manner);
    const ofEvent = ({ data, ports }) => got(end, data, manner, ports);
    switch (how) {
      case 'on': case 'addListener': mine.listener = ofValue; port[how]('message', ofValue); break;
      case 'once':
        mine.listener = (message) => (gone(), ofValue(message));
        port.once('message', mine.listener);
        break;
      case 'listener': mine.listener = ofEvent; port.addEventListener('message', ofEvent); break;
      case 'listener once':
        mine.listener = (event) => (gone(), ofEvent(event));
        port.addEventListener('message', mine.listener, { once: true });
        break;
      case 'object': mine.listener = { handleEvent: ofEvent }; port.addEventListener('message', mine.listener); break;
      case 'bad object':
        mine.listener = { get handleEvent() { log[end].push('asked'); if (closing[end]) return () => {}; throw failure(end, how); } };
        port.addEventListener('message', mine.listener);
        break;
      case 'both': {
        const second = () => log[end].push('second');
        mine.listener = ofValue;
        mine.second = second;
        port.on('message', ofValue);
        port.once('message', second);
        break;
      }
      default: mine.listener = ofEvent; port.onmessage = ofEvent;
    }
    listening[end] = mine;
  }

  function off(end) {
    const mine = listening[end];
    if (mine === undefined) return;
    listening[end] = undefined;
    if (mine.how === 'onmessage') ports[end].onmessage = null;
    else ports[end].removeEventListener('message', mine.listener);
    if (mine.second) ports[end].off('message', mine.second);
  }

  function move(end) {
    const was = listening[end];
    try {
      carrier.port1.postMessage({ inside: [ports[end]] }, [ports[end]]);
    } catch (error) {
      log[end].push(error.name);
      return;
    }
    const arrived = takeOne(carrier.port2);
    listening[end] = undefined;
    ports[end] = arrived.message.inside[0];
    watch(end);
    if (was !== undefined) listen(end, 'on', 'plain');
  }

  function refusedMove(end, how) {
    const port = ports[end];
    const bad = [
      () => [{ port, no: () => {} }, [port]],
      () => [port, []],
      () => [port, [port, port]],
      () => [{ port, get broken() { throw new Error('getter'); } }, [port]],
    ][how];
    try {
      carrier.port1.postMessage(...bad());
      log[end].push('not refused');
    } catch (error) {
      log[end].push(`refused ${error.name}`);
    }
  }

  const later = (way, what) => {
    if (way === 'now') what();
    else if (way === 'microtask') queueMicrotask(what);
    else if (way === 'tick') process.nextTick(what);
    else setImmediate(what);
  };

  function perform(action) {
    try {
      act(action);
    } catch (error) {
      log[action.end].push(`threw ${error.name}`);
    }
  }

  function act(action) {
    const { end } = action;
    const port = ports[end];
    switch (action.do) {
      case 'post':
        for (const [kind, n] of action.list) {
          try {
            port.postMessage(...value(kind, n));
          } catch (error) {
            log[end].push(`${kind} ${error.name}`);
          }
        }
        break;
      case 'burst': for (let i = 0; i < action.count; i++) port.postMessage(action.number + i); break;
      case 'move': later(action.way, () => move(end)); break;
      // And when it is given a closed one to clone.
      case 'refused move': if (!ended[end]) refusedMove(end, action.how); break;
      case 'close':
        // When a listener throws, Node puts the rest off to a later turn, and so loses it if the port was closed. Ours do not.
        later(action.way, () => {
          if (listening[end]?.throws) return;
          closing[end] = true;
          ports[end].close();
        });
        break;
      case 'take': {
        // Node 20 itself crashes when it is asked for a message of a closed port.
        if (ended[end]) break;
        const taken = takeOne(port);
        if (taken !== undefined) got(end, taken.message, 'plain');
        // When the last message before the end was taken, Node sees the end at the next occasion, ours at once.
        while (ended[end ^ 1] && !ended[end] && ports[end] === port) {
          const more = takeOne(port);
          if (more === undefined) break;
          got(end, more.message, 'plain');
        }
        break;
      }
      case 'start': if (listening[end] !== undefined) port.start(); break;
      case 'ref': log[end].push(port.hasRef()); port[action.to ? 'ref' : 'unref'](); log[end].push(port.hasRef()); break;
      case 'remove all':
        // What comes until the next listener is lost, as Node has it.
        listening[end] = undefined;
        port.removeAllListeners('message');
        log[end].push(port.listenerCount('message'), port.hasRef());
        break;
      case 'emit': log[end].push(port.emit('message', action.number)); break;
      case 'getter':
        port.postMessage({ n: action.number, get then() { perform(action.then); return 'x'; } });
        break;
      case 'swap': off(end); listen(end, action.how, action.manner); off(end); listen(end, 'on', 'plain'); break;
      case 'off': off(end); break;
      default: listen(end, action.how, action.manner);
    }
  }

  for (const step of steps) {
    perform(step);
    await settled();
  }
  for (let end = 0; end < ENDS; end++) if (listening[end] === undefined) listen(end, 'on', 'plain');
  await settled();
  for (const port of ports) port.close();
  carrier.port1.close();
  await settled();
  return log.map((lines, end) => [...lines, `left ${left[end]} times`].join(' '));
}

module.exports = { generate, run };
