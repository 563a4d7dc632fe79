'use strict';

/**
 * All classes of ours whose objects can be in a message. They are loaded when an object of one of them comes to a thread
 * that has not used the class yet.
 *
 * The files that put the package together require this one: index.js, and a pool's worker (script-pool/start.js). So
 * lib/transfer finds the classes, and imports none of them.
 */

const { hostCopy } = require('./runtime/host-realm');
const { setTypeLoader } = require('./transfer/type-loader');

setTypeLoader(() => {
  require('./locks/transfer');
  require('./ports/transfer');
  require('./shared-buffer/transfer');
  require('./shared-value/transfer');
});

// Under Jest the host's copy of lib/transfer reads messages too, and has a loader of its own.
hostCopy(module);
