'use strict';

/** All classes of ours whose objects travel: loaded when one of them comes to a thread that has not used it yet. */

require('../locks/transfer');
require('../ports/transfer');
require('../shared-buffer/transfer');
