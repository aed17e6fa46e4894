#!/usr/bin/env node
// The `ringtail` command. Node 20 does not read TypeScript by itself: tsx does, for Ringtail and for users' scenarios.
import { register } from 'node:module';
import { register as registerTsx } from 'tsx/esm/api';

registerTsx();
register('./typescript-format.js', import.meta.url);
// Whoever reads the output may stop reading: `ringtail list | head -1`.
process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : 2));
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv);
