'use strict';

/**
 * What node-ports.js takes from Node, made of documented parts: for Bun and Deno, whose event targets have no such inside.
 *
 * An event target with listeners of both kinds, as Node's ports are: those of `addEventListener` and `onmessage` get events,
 * those of `on` and `once` get values. Every listener is added and removed by `addEventListener` and `removeEventListener` of
 * the object itself, and every event is dispatched by its `[DISPATCH]`, so that both can be covered there as with Node's.
 *
 * Relies on: the globals `Event` and `MessageEvent`, and properties that an event is given standing before those of its class.
 * Test: __test__/runtime/own-event-target.test.js, __test__/runtimes/.
 */

const { DISPATCH } = require('./port-symbols');
const { MessagePort: NativePort } = require('./worker-threads');

const { Event, MessageEvent } = globalThis;

const NEW_LISTENER = Symbol('new listener');
const REMOVE_LISTENER = Symbol('remove listener');
/** The listeners of an object: type -> `{ listener, takesValue, capture, once, run }[]`. */
const LISTENERS = Symbol('listeners');
/** The functions under `onmessage` and the like: type -> `{ handler, listener }`. */
const HANDLERS = Symbol('handlers');
/** Given to `addEventListener` by `on` and `once`: the listener takes the value. */
const TAKES_VALUE = Symbol('takes value');

const { nextTick } = process;

/** What a listener throws becomes an uncaught exception, by itself. */
function throwUncaught(error) {
  nextTick(() => {
    throw error;
  });
}

const isListener = (listener) =>
  typeof listener === 'function' || (typeof listener === 'object' && listener !== null);

/** An error of a listener, or of the promise that it returns, costs no other listener its event. */
function call(target, listener, value) {
  try {
    const result =
      typeof listener === 'function' ? Reflect.apply(listener, target, [value]) : listener.handleEvent(value);
    if (result === undefined || result === null) return;
    const { then } = result;
    if (typeof then === 'function') Reflect.apply(then, result, [undefined, throwUncaught]);
  } catch (error) {
    throwUncaught(error);
  }
}

/** The event for something that is given to listeners as a value. */
function createEvent(value, type) {
  if (type === 'message' || type === 'messageerror') return new MessageEvent(type, { data: value });
  const event = new Event(type);
  return Object.defineProperty(event, 'detail', { __proto__: null, value, enumerable: true, configurable: true });
}

/** Gives an event its target, which only a dispatch of the runtime's own would. Returns whether it was stopped. */
function aim(event, target) {
  let isStopped = false;
  const own = (name, value) => Object.defineProperty(event, name, { __proto__: null, value, configurable: true });
  own('target', target);
  own('currentTarget', target);
  own('srcElement', target);
  own('stopImmediatePropagation', () => (isStopped = true));
  return () => isStopped;
}

class OwnEventTarget {
  constructor() {
    this[LISTENERS] = new Map();
    this[HANDLERS] = new Map();
  }

  addEventListener(type, listener, options) {
    if (arguments.length < 2) throw new TypeError('addEventListener takes a type and a listener');
    const { capture = false, once = false, signal, passive = false, [TAKES_VALUE]: takesValue = false } =
      typeof options === 'boolean' ? { capture: options } : options ?? {};
    if (!isListener(listener) || signal?.aborted) return;
    const name = String(type);
    const listeners = this[LISTENERS].get(name) ?? [];
    if (listeners.some((known) => known.listener === listener && known.capture === Boolean(capture))) return;
    this[LISTENERS].set(name, [...listeners, { listener, takesValue, capture: Boolean(capture), once: Boolean(once) }]);
    signal?.addEventListener('abort', () => this.removeEventListener(name, listener, options), { once: true });
    this[NEW_LISTENER](listeners.length + 1, name, listener, once, capture, passive);
  }

  removeEventListener(type, listener, options) {
    const capture = Boolean(typeof options === 'boolean' ? options : options?.capture);
    const name = String(type);
    const listeners = this[LISTENERS].get(name) ?? [];
    const left = listeners.filter((known) => known.listener !== listener || known.capture !== capture);
    if (left.length === listeners.length) return;
    if (left.length > 0) this[LISTENERS].set(name, left);
    else this[LISTENERS].delete(name);
    this[REMOVE_LISTENER](left.length, name, listener, capture);
  }

  dispatchEvent(event) {
    if (!(event instanceof Event)) throw new TypeError('dispatchEvent takes an Event');
    this[DISPATCH](event, event.type, event);
    return !event.defaultPrevented;
  }

  /**
   * @param {unknown} value for listeners that take one
   * @param {string} type
   * @param {Event} [event] for those that take events; made when there is one
   * @returns {boolean} whether there was a listener
   */
  [DISPATCH](value, type, event) {
    const listeners = this[LISTENERS].get(type);
    if (listeners === undefined) return false;
    let made = event;
    let isStopped = event === undefined ? undefined : aim(event, this);
    const eventNow = () => {
      if (isStopped !== undefined) return made;
      made = createEvent(value, type);
      isStopped = aim(made, this);
      return made;
    };
    for (const known of listeners) {
      if (isStopped?.()) break;
      // One before it may have removed it.
      if (!this[LISTENERS].get(type)?.includes(known)) continue;
      if (known.once) this.removeEventListener(type, known.listener, known.capture);
      call(this, known.listener, known.takesValue ? value : eventNow());
    }
    return true;
  }

  on(type, listener) {
    this.addEventListener(type, listener, { [TAKES_VALUE]: true });
    return this;
  }

  addListener(type, listener) {
    return this.on(type, listener);
  }

  once(type, listener) {
    this.addEventListener(type, listener, { [TAKES_VALUE]: true, once: true });
    return this;
  }

  off(type, listener, options) {
    this.removeEventListener(type, listener, options);
    return this;
  }

  removeListener(type, listener, options) {
    return this.off(type, listener, options);
  }

  /** As in Node, this stops no port. */
  removeAllListeners(...types) {
    for (const type of types.length > 0 ? [String(types[0])] : [...this[LISTENERS].keys()]) {
      this[HANDLERS].delete(type);
      this[LISTENERS].delete(type);
    }
    return this;
  }

  emit(type, value) {
    return this[DISPATCH](value, String(type), undefined);
  }

  listenerCount(type) {
    return this[LISTENERS].get(String(type))?.length ?? 0;
  }

  eventNames() {
    return [...this[LISTENERS].keys()];
  }

  setMaxListeners() {
    return this;
  }

  getMaxListeners() {
    return Infinity;
  }

  [NEW_LISTENER]() {}

  [REMOVE_LISTENER]() {}
}

/** `onmessage`: a function keeps the place of the one it replaces. */
for (const type of ['message', 'messageerror']) {
  Object.defineProperty(OwnEventTarget.prototype, `on${type}`, {
    __proto__: null,
    get() {
      return this[HANDLERS].get(type)?.handler ?? null;
    },
    set(value) {
      const handler = isListener(value) ? value : undefined;
      const known = this[HANDLERS].get(type);
      if (known !== undefined && handler !== undefined) {
        known.handler = handler;
        return;
      }
      if (known !== undefined) {
        this[HANDLERS].delete(type);
        this.removeEventListener(type, known.listener);
      }
      if (handler === undefined) return;
      // An object may stand there, and is not called.
      const added = { handler, listener: (event) => typeof added.handler === 'function' && added.handler.call(this, event) };
      this[HANDLERS].set(type, added);
      this.addEventListener(type, added.listener);
    },
    enumerable: true,
    configurable: true,
  });
}

const methods = Object.getOwnPropertyDescriptors(OwnEventTarget.prototype);
delete methods.constructor;

/** What the prototype of our ports inherits from: an `instanceof` the runtime's own class, with listeners of ours. */
const portPrototype = Object.create(NativePort.prototype, methods);

/**
 * Makes an event target of this kind of an object that is one of the runtime's, by properties of its own.
 *
 * @param {object} object
 * @param {(size: number, type: string, wasAdded: boolean) => void} changed called when listeners were added or removed
 */
function becomeOwn(object, changed) {
  const define = (key, descriptor) => Object.defineProperty(object, key, { ...descriptor, enumerable: false, configurable: true });
  for (const key of Reflect.ownKeys(methods)) define(key, methods[key]);
  define(LISTENERS, { value: new Map() });
  define(HANDLERS, { value: new Map() });
  define(NEW_LISTENER, { value: (size, type) => changed(size, type, true) });
  define(REMOVE_LISTENER, { value: (size, type) => changed(size, type, false) });
}

module.exports = {
  Event, NEW_LISTENER, NodeEventTarget: OwnEventTarget, REMOVE_LISTENER, becomeOwn, createEvent, portPrototype,
};
