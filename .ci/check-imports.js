// Holds the sources to the import rules of .dependency-cruiser.cjs. dependency-cruiser is content when it has looked at
// nothing, as it does with a compiler it does not understand; so every file on the disk has to be among those it saw.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const FOLDERS = ['src', 'hw', 'drivers', 'kernel', 'test'];
const FEWEST_FILES = 40;

const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');
const { output } = await cruise(
  FOLDERS,
  { ...options, ruleSet: { forbidden }, validate: true },
  options.enhancedResolveOptions,
  { tsConfig: extractTSConfig(options.tsConfig.fileName) },
);

const seen = new Set(output.modules.map(module => module.source));
const files = FOLDERS.flatMap(folder =>
  readdirSync(folder, { recursive: true }).map(name => join(folder, name)),
).filter(path => /\.[jt]s$/.test(path));
const problems = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
for (const file of files) if (!seen.has(file)) problems.push(`not looked at: ${file}`);
if (files.length < FEWEST_FILES) problems.push(`only ${files.length} files found`);

for (const problem of problems) console.error(problem);
console.log(`${files.length} files, ${output.summary.totalDependenciesCruised} imports, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
