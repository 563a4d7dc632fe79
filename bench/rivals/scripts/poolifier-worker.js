'use strict';

const { ThreadWorker } = require('poolifier');

const { small, bytes } = require('./body');

module.exports = new ThreadWorker({ small, bytes });
