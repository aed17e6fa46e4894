/**
 * Who may import whom. The layers know each other only through the interfaces that each declares for itself;
 * src/world is where they meet. test/unit/contract/import-rules.test.ts breaks each rule once, to see it hold.
 *
 * `npm run check:imports` also makes sure that every source file was in fact looked at.
 */
const only = (layer, allowed, comment) => ({
  name: `${layer.replace('/', '-')}-imports`,
  severity: 'error',
  comment,
  from: { path: `^${layer}/` },
  to: { pathNot: allowed.map(path => `^${path}`) },
});

module.exports = {
  forbidden: [
    only('hw', ['hw/', 'src/lib/'], 'The hardware knows nothing of kernel, drivers, Node or any package.'),
    only('drivers', ['drivers/', 'src/lib/', 'kernel/driver-api[.]ts$'], 'A driver sees the driver API, as types.'),
    only('kernel', ['kernel/', 'src/lib/'], 'The kernel knows neither the hardware nor the drivers.'),
    only('src/lib', ['src/lib/'], 'The leaf imports nothing.'),
    {
      name: 'driver-api-as-types',
      severity: 'error',
      comment: 'The driver API is a contract, not code: import type.',
      from: { path: '^drivers/' },
      to: { path: '^kernel/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'browser-without-node',
      severity: 'error',
      comment: 'What a browser will run, all of src but cli and bridge, imports no node: module.',
      from: { path: '^src/', pathNot: '^src/(cli|bridge)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'browser-without-cli-or-bridge',
      severity: 'error',
      comment: 'Nor does it import cli or bridge, which do.',
      from: { path: '^src/', pathNot: '^src/(cli|bridge)/' },
      to: { path: '^src/(cli|bridge)/' },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Types may refer to each other across files; code may not.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages',
      severity: 'error',
      comment: 'What runs stands in dependencies; what only tests or checks stands in devDependencies.',
      from: { path: '^(src|hw|drivers|kernel)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  },
};
