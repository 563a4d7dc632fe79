'use strict';

const MEGABYTE = 1 << 20;

/** What a tenant may use of memory, wherever that can be said. */
const MEMORY_MB = 64;

module.exports = { MEGABYTE, MEMORY_MB };
