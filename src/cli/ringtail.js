#!/usr/bin/env node
// The `ringtail` command. Node 20 does not read TypeScript by itself: tsx does, for Ringtail and for users' scenarios.
import { register } from 'tsx/esm/api';

register();
// `ringtail tour | head`: whoever reads has seen enough.
process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : 2));
// Whoever reads the output may stop reading: `ringtail list | head -1`.
process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : 2));
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv);
