'use strict';

/** The source of a function that is to run in a worker, and why one cannot run there. */

const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');
const { describe } = require('../validators');
const { IMPORT_META, NEW_TARGET, SUPER, THIS, freeVariables } = require('./free-variables');
const { parseProgram } = require('./parser');

/** What a function has there of CommonJS, made for the file in which it stands. */
const OF_FILE = new Set(['require', '__filename', '__dirname']);
/** Which esbuild, and so tsx, adds to functions that have inner ones: it gives them their names. */
const NAMER = '__name';

/** Node's globals beside those of the language. What a program has put there is in its thread alone. */
const OF_NODE = new Set([
  'AbortController', 'AbortSignal', 'Blob', 'BroadcastChannel', 'Buffer', 'ByteLengthQueuingStrategy', 'CloseEvent', 'CompressionStream',
  'CountQueuingStrategy', 'Crypto', 'CryptoKey', 'CustomEvent', 'DOMException', 'DecompressionStream', 'ErrorEvent', 'Event',
  'EventSource', 'EventTarget', 'File', 'FormData', 'Headers', 'MessageChannel', 'MessageEvent', 'MessagePort', 'Navigator', 'Performance',
  'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure', 'PerformanceObserver', 'PerformanceObserverEntryList',
  'PerformanceResourceTiming', 'QuotaExceededError', 'ReadableByteStreamController', 'ReadableStream', 'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest', 'ReadableStreamDefaultController', 'ReadableStreamDefaultReader', 'Request', 'Response', 'Storage',
  'SubtleCrypto', 'TextDecoder', 'TextDecoderStream', 'TextEncoder', 'TextEncoderStream', 'TransformStream',
  'TransformStreamDefaultController', 'URL', 'URLPattern', 'URLSearchParams', 'WebAssembly', 'WebSocket', 'WritableStream',
  'WritableStreamDefaultController', 'WritableStreamDefaultWriter', 'atob', 'btoa', 'clearImmediate', 'clearInterval', 'clearTimeout',
  'console', 'crypto', 'fetch', 'gc', 'global', 'localStorage', 'navigator', 'performance', 'process', 'queueMicrotask', 'sessionStorage',
  'setImmediate', 'setInterval', 'setTimeout', 'structuredClone',
]);

let ofLanguage;
/** The globals of the language as this engine has it. */
function isOfLanguage(name) {
  ofLanguage ??= new Set(require('node:vm').runInNewContext('Object.getOwnPropertyNames(globalThis)'));
  return name === 'undefined' || ofLanguage.has(name);
}

const isThere = (name) => OF_FILE.has(name) || OF_NODE.has(name) || isOfLanguage(name);

/** Why a name may be there that the program did not write, and what helps. */
const HELPERS = [
  [/^cov_[a-z0-9]+$/i, 'the counter of a coverage tool: write /* istanbul ignore next */ before the function'],
  [/^__(awaiter|generator|rest|spread|assign|extends|decorate|param|metadata|values|read|async|await|make|class|private|import|set|prop|run|dispose|add)/, 'a helper that TypeScript puts in: compile for a newer target (ES2022)'],
  [/^_(asyncToGenerator|regenerator|interopRequire|objectSpread|toConsumableArray|defineProperty|classCallCheck|createClass|slicedToArray)/, 'a helper that Babel puts in: compile for newer engines'],
  [/^(__vite|__vi_|_.*__WEBPACK_IMPORTED_MODULE)/, 'an import, as a bundler writes it: import it inside the function, `await import(…)`'],
  [/^(exports|module)$/, 'of its module, which is not there: take it by require(…) inside the function'],
];

const OTHERS = {
  [THIS]: 'nothing is its `this` there: pass what it needs as an argument',
  [SUPER]: 'it has no object there',
  [NEW_TARGET]: 'it is not called by `new` there',
  [IMPORT_META]: 'it is in no module there: __filename and __dirname are those of its file',
  arguments: 'an arrow function has none of its own: (...args) => …',
};

/** What no parameter can stand for: a captured value of such a name would never be found, and Node ends the process for some. */
const UNBOUND = new Set([THIS, SUPER, NEW_TARGET, IMPORT_META, 'arguments', 'eval']);

const ADVICE = "Capture it: exec(fn, args, { capture: { name } }), pass it as an argument, or import it inside the function: await import('…')";

const isNative = /\{\s*\[native code\]\s*\}\s*$/;

const isMethod = /^(?:async\s+|async\s*\*\s*|\*\s*|get\s+|set\s+)?(?:\[|#|["'\d]|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*\()/u;

function tryToParse(text) {
  try {
    return parseProgram(text).body.at(-1).expression;
  } catch (error) {
    return error;
  }
}

/** What stands before the name of a private method, which only its class can declare: with `$` in the place of `#` it is a method as others. */
const isPrivate = /^((?:async\s+|async\s*\*\s*|\*\s*|get\s+|set\s+)?)#/;

/** A text as the expression that it is, or as a method of an object. */
function parse(text, isStrict) {
  const directive = isStrict ? '"use strict";' : '';
  const whole = tryToParse(`${directive}(${text}\n)`);
  if (!(whole instanceof Error) || !isMethod.test(text)) return { node: whole, isMethod: false };
  const holder = tryToParse(`${directive}({${text}\n})`);
  return holder instanceof Error ? { node: whole, isMethod: false } : { node: holder.properties[0], isMethod: true };
}

/** All others throw there: strict functions, and those of the newer forms, which have nothing that strictness changes. */
function isSloppy(fn) {
  try {
    return fn.caller !== undefined;
  } catch {
    return false;
  }
}

/**
 * @param {unknown} fn
 * @returns {{ text: string, isMethod: boolean, isStrict: boolean, needed: string[], asked: string[], globals: string[] }} `needed`: the names that it
 *   takes from outside, but globals; `asked`: those of which it only asks for the type
 * @throws {InvalidArgTypeError | InvalidArgValueError} when it cannot run elsewhere
 */
function sourceOf(fn) {
  if (typeof fn !== 'function') {
    throw new InvalidArgTypeError(
      `The "fn" argument must be a function, or the name of a function of the script. Received ${describe(fn)}`,
    );
  }
  const written = Function.prototype.toString.call(fn);
  if (isNative.test(written)) {
    throw new InvalidArgValueError(`${shown(fn)} has no source: it is a bound function, a Proxy, or not written in JavaScript. Wrap it: (...args) => …`);
  }
  const text = written.replace(isPrivate, '$1$$');
  let isStrict = !isSloppy(fn);
  let parsed = parse(text, isStrict);
  if (parsed.node instanceof Error && isStrict) parsed = parse(text, (isStrict = false));
  const { node } = parsed;
  if (node instanceof Error) throw new InvalidArgValueError(`${shown(fn)} cannot be parsed: ${node.message}`, { cause: node });
  if (node.type === 'ClassExpression') {
    throw new InvalidArgValueError(`${shown(fn)} is a class, which is not called. Use it inside a function, where it is written or imported`);
  }
  const taken = parsed.isMethod ? [freeVariables(node.value), keyVariables(node)] : [freeVariables(node)];
  const listed = (lists) => [...new Set(lists.flat())];
  const all = listed(taken.map((names) => names.needed));
  const needed = all.filter((name) => !isOfThatThread(name));
  const types = listed(taken.map((names) => names.asked)).filter((name) => !all.includes(name));
  const asked = types.filter((name) => !isOfThatThread(name));
  const globals = [...all, ...types].filter(isOfThatThread);
  return { text, isMethod: parsed.isMethod, isStrict, needed, asked, globals };
}

/** A computed name of a method is read in the worker too. */
const keyVariables = ({ computed, key }) =>
  computed ? freeVariables({ type: 'ArrowFunctionExpression', params: [], body: key }) : { needed: [], asked: [] };

const isOfThatThread = (name) => isThere(name) && !OF_FILE.has(name);

/** A name of a function that it has as an own property may be anything. */
const nameOf = ({ name }) => (typeof name === 'string' ? name : '');

function shown(fn) {
  const name = nameOf(fn);
  return name === '' ? 'The function' : `The function ${name}`;
}

/** Which of these names `capture` has values for. */
const capturedOf = (names, capture) => names.filter((name) => !UNBOUND.has(name) && Object.hasOwn(capture, name));

/**
 * @param {Function} fn
 * @param {string[]} names what it takes from outside that is neither captured nor there
 */
function refuse(fn, names) {
  const reasons = names.map((name) => {
    const known = HELPERS.find(([pattern]) => pattern.test(name))?.[1] ?? (Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined);
    return known === undefined ? undefined : `${name}: ${known}`;
  });
  const plain = names.filter((_, i) => reasons[i] === undefined);
  const said = reasons.filter((reason) => reason !== undefined);
  const why = said.length > 0 ? ` (${said.join('; ')})` : '';
  const advice = plain.length > 0 ? `. ${ADVICE.replace('name', plain[0])}` : '';
  return new InvalidArgValueError(`${shown(fn)} uses ${names.join(', ')} from outside, which a worker does not have${why}${advice}`, {
    variables: names,
  });
}

module.exports = { NAMER, OF_FILE, capturedOf, isSloppy, nameOf, refuse, sourceOf };
