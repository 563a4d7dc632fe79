'use strict';

/**
 * Node's own worker_threads, read once, when the package is loaded: a program that puts ours into worker_threads must
 * not make ours call itself.
 */

module.exports = Object.defineProperties({}, Object.getOwnPropertyDescriptors(require('node:worker_threads')));
