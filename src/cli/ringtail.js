#!/usr/bin/env node
// The `ringtail` command. Node 20 does not read TypeScript by itself: tsx does, for Ringtail and for users' scenarios.
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv);
