'use strict';

/**
 * Starts the service, and ends it in order on SIGTERM: no new connections, the requests under way get their answers, the
 * pool finishes its tasks, and the process ends by itself with code 0.
 *
 *     WAY=script PORT=3000 node main.js
 */

const { readSettings } = require('./settings');
const { buildService } = require('./service');

async function main() {
  const settings = readSettings(process.env);
  const service = await buildService(settings);
  let isEnding = false;

  async function end(signal) {
    if (isEnding) return;
    isEnding = true;
    service.log.info({ signal }, 'closing');
    // Only for what hangs: a client that reads its answer for ever, say.
    const limit = setTimeout(() => {
      service.log.error({ closeTimeout: settings.closeTimeout }, 'could not close in time');
      process.exit(1);
    }, settings.closeTimeout + settings.taskTimeout);
    limit.unref();
    await service.close();
    service.log.info('closed');
  }

  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  await service.listen({ port: settings.port, host: settings.host });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
