'use strict';

const { worker, Transfer } = require('workerpool');

const { small, bytes } = require('./body');

worker({ small, bytes, moved: (input) => new Transfer(input, [input.buffer]) });
