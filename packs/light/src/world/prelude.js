// Runs once, when a stage is made, before any code of users. Gives the list of functions that the pack calls; what it uses of the
// language's own objects is taken here, so code that changes those changes nothing of this.
(function () {
  'use strict';
  const { apply, construct, defineProperty, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const uncurry = (method) => (self, ...rest) => apply(method, self, rest);
  const mapForEach = uncurry(Map.prototype.forEach);
  const setForEach = uncurry(Set.prototype.forEach);
  const mapSet = uncurry(Map.prototype.set);
  const setAdd = uncurry(Set.prototype.add);
  const bigintToString = uncurry(BigInt.prototype.toString);
  const getTime = uncurry(Date.prototype.getTime);
  const slice = uncurry(String.prototype.slice);
  const isPrototypeOf = uncurry(Object.prototype.isPrototypeOf);
  const getter = (object, name) => uncurry(getOwnPropertyDescriptor(object, name).get);
  const viewBuffer = getter(DataView.prototype, 'buffer');
  const viewOffset = getter(DataView.prototype, 'byteOffset');
  const viewLength = getter(DataView.prototype, 'byteLength');
  const [NewMap, NewSet, NewBigInt, NewDataView, NewDate, NewString, NewError, NewTypeError] =
    [Map, Set, BigInt, DataView, Date, String, Error, TypeError];
  const classes = { __proto__: null, Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError };
  const put = (object, key, value) =>
    defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: false, configurable: true });

  const mapEntries = (map) => {
    const list = [];
    mapForEach(map, (value, key) => {
      list[list.length] = key;
      list[list.length] = value;
    });
    return list;
  };
  const setValues = (set) => {
    const list = [];
    setForEach(set, (value) => {
      list[list.length] = value;
    });
    return list;
  };
  const makeMap = (entries) => {
    const map = new NewMap();
    for (let index = 0; index < entries.length; index += 2) mapSet(map, entries[index], entries[index + 1]);
    return map;
  };
  const makeSet = (values) => {
    const set = new NewSet();
    for (let index = 0; index < values.length; index++) setAdd(set, values[index]);
    return set;
  };
  const makeBigInt = (hex, negative) => (negative ? -NewBigInt(hex) : NewBigInt(hex));
  const bigintHex = (value) => bigintToString(value, 16);
  const makeDataView = (buffer) => new NewDataView(buffer);
  const dataViewParts = (view) => [viewBuffer(view), viewOffset(view), viewLength(view)];
  const dateTime = (date) => getTime(date);

  const makeError = (name, message, ownName, stack) => {
    const Class = classes[name] ?? NewError;
    const error = Class === classes.AggregateError ? construct(Class, [[], message]) : construct(Class, message === undefined ? [] : [message]);
    if (ownName !== undefined) put(error, 'name', ownName);
    if (stack !== undefined) put(error, 'stack', stack);
    return error;
  };
  const text = (value) => {
    try {
      return typeof value === 'symbol' ? 'a symbol' : NewString(value);
    } catch {
      return '';
    }
  };
  const errorParts = (error) => {
    let name = 'Error';
    for (const key in classes) if (isPrototypeOf(classes[key].prototype, error)) name = key;
    const message = text(error.message ?? '');
    const shown = text(error.name ?? name);
    const head = message === '' ? shown : `${shown}: ${message}`;
    const frames = text(error.stack ?? '');
    const names = [];
    const keys = ownKeys(error);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      if (typeof key !== 'string' || key === 'stack' || key === 'message' || key === 'name') continue;
      if (key === 'cause' || getOwnPropertyDescriptor(error, key)?.enumerable) names[names.length] = key;
    }
    const stack = frames === '' || frames[0] === ' ' ? `${head}\n${slice(frames, 0, -1)}` : frames;
    return [name, shown, message, stack, names];
  };

  // Code that is not given a clock, or randomness, is told so where it asks.
  const noClock = () => {
    throw new NewTypeError('light code has no clock unless pool.light is given { clock: true }; a time can come as an argument');
  };
  const withoutClock = () => {
    const Without = function Date(...given) {
      if (new.target === undefined || given.length === 0) noClock();
      return construct(NewDate, given, new.target);
    };
    put(Without, 'length', 7);
    defineProperty(Without, 'prototype', { value: NewDate.prototype, writable: false, enumerable: false, configurable: false });
    put(Without, 'parse', NewDate.parse);
    put(Without, 'UTC', NewDate.UTC);
    put(Without, 'now', function now() {
      noClock();
    });
    put(NewDate.prototype, 'constructor', Without);
    put(globalThis, 'Date', Without);
  };
  const withoutRandom = () => {
    put(Math, 'random', function random() {
      throw new NewTypeError('light code has no randomness unless pool.light is given { random: true }');
    });
  };

  // No code is compiled while code runs: the interpreter's compiler does not survive that there is no memory, and a task may use all of it.
  const noCompiler = () => {
    throw new NewTypeError('light code compiles no code: give pool.light each function that there is');
  };
  const compilers = { Function() {}, GeneratorFunction: function* () {}, AsyncFunction: async function () {}, AsyncGeneratorFunction: async function* () {} };
  for (const name of ownKeys(compilers)) {
    const prototype = getPrototypeOf(compilers[name]);
    const Without = function () {
      noCompiler();
    };
    put(Without, 'name', name);
    put(Without, 'length', 1);
    defineProperty(Without, 'prototype', { __proto__: null, value: prototype, writable: false });
    put(prototype, 'constructor', Without);
    if (name === 'Function') put(globalThis, name, Without);
  }
  put(globalThis, 'eval', { eval(code) { if (typeof code !== 'string') return code; noCompiler(); } }.eval);

  // The interpreter goes from one iterator's helper to the next without a look at its stack, unless what it calls is a function of JavaScript.
  const helperPrototype = getPrototypeOf([].values().take(0));
  const helperNext = helperPrototype.next;
  put(helperPrototype, 'next', { next() { return apply(helperNext, this, []); } }.next);

  const console = {};
  for (const name of ['debug', 'error', 'info', 'log', 'trace', 'warn']) put(console, name, { [name]() {} }[name]);
  put(globalThis, 'console', console);

  return [
    mapEntries, setValues, makeMap, makeSet, makeBigInt, bigintHex, makeDataView, dataViewParts, dateTime, makeError,
    errorParts, withoutClock, withoutRandom, {}, new SharedArrayBuffer(0),
  ];
})()
