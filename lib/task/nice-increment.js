'use strict';

/** The option `niceIncrement` of a pool, as the system takes it for each of its threads (src/os_thread.rs). */

const { OutOfRangeError } = require('../errors');
const { validateInteger } = require('../validators');

/** The increment after which no thread gets nicer. */
const MOST = 19;

/** @returns {number} the option, checked */
function checkNiceIncrement(given) {
  if (typeof given === 'number' && Number.isInteger(given) && given < 0) {
    throw new OutOfRangeError(
      `"options.niceIncrement" (${given}) must not be negative: that would raise the priority of the pool's threads above that of ` +
        'the thread that makes it, which a process needs privileges for. Start the whole process with a higher priority instead ' +
        '(nice, systemd), and give this pool an increment from 0 to 19',
    );
  }
  return validateInteger(given, 'options.niceIncrement', 0, MOST);
}

module.exports = { checkNiceIncrement };
