'use strict';

/** The script of the peers' threads: a task that does nothing. */

module.exports = () => undefined;
