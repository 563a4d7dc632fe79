'use strict';

/** The native addon, loaded once. */

const { loadBinding } = require('./binding');

module.exports = { binding: loadBinding() };
