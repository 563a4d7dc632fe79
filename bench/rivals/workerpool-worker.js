'use strict';

require('workerpool').worker({ noop: () => undefined });
