'use strict';

/**
 * Checks that are known not to pass somewhere, each with what it ends with instead, and why. `.ci/runtimes` fails on any other
 * failure, and on one of these that passes by now.
 */

module.exports = [
  {
    check: 'a TypeScript script',
    runtimes: ['node-20'],
    endsWith: /^ERR_RW_SCRIPT_LOAD /m,
    note: 'Node.js strips types by itself since 22.18. On 20, compile the script, or load it by tsx: [how](typescript-and-bundlers.md#scripts-in-typescript).',
  },
  {
    check: 'a worker that runs out of memory',
    runtimes: ['bun'],
    endsWith: /^ERR_RW_UNSUPPORTED_RUNTIME /m,
    note: 'Bun ignores `resourceLimits` (oven-sh/bun#31411): the option is refused with `ERR_RW_UNSUPPORTED_RUNTIME`.',
  },
  {
    check: 'moveMessagePortToContext',
    runtimes: ['bun'],
    endsWith: /^ERR_RW_UNSUPPORTED_RUNTIME /m,
    note: 'Bun has no `moveMessagePortToContext` (oven-sh/bun#43031): `ERR_RW_UNSUPPORTED_RUNTIME`.',
  },
  {
    check: 'messages that came before the package was loaded',
    runtimes: ['deno'],
    endsWith: /nothing came/,
    // A message may be late enough.
    mayPass: true,
    note: 'Deno loses messages that come while `parentPort` has no listener (denoland/manual#264): listen before the first await.',
  },
  {
    check: 'receiveMessageOnPort, for parentPort',
    runtimes: ['deno'],
    endsWith: /must be a MessagePort instance/,
    note: "Deno's `parentPort` is no MessagePort, so `receiveMessageOnPort` refuses it with Deno's TypeError.",
  },
  {
    check: 'marks: uncloneable, inside of a message',
    runtimes: ['deno'],
    endsWith: /Missing expected exception/,
    note: 'Deno applies `markAsUncloneable` to the message itself, not to what is in it.',
  },
];
