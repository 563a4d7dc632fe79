'use strict';

throw new TypeError('this script does not load');
