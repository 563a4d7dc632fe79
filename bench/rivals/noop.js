'use strict';

/** What the peers' threads load: a task that does nothing. */

module.exports = () => undefined;
