'use strict';

/** The package's version: package.json need not be read for it. A test holds the two equal. */

module.exports = { VERSION: '0.1.0' };
