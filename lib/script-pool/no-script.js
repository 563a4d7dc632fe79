'use strict';

/** The script of workers that run functions alone (`pool.exec` in a pool without a script): it exports nothing. */

module.exports = {};
