// Sums up a full run from the test runner's JSON report: `node .ci/count-tests.js REPORT FAILED_CHECKS`. A test file that
// failed without a failed test in it could not be run; it counts as one failure, and so does each check beside the tests.
import { readFileSync } from 'node:fs';

const [path, failedChecks] = process.argv.slice(2);
const report = read() ?? { success: false, numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
const brokenFiles = report.testResults.filter(
  file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
);
let failed = report.numFailedTests + brokenFiles.length;
if (failed === 0 && !report.success) {
  failed = 1;
  console.log('The test runner failed outside any test.');
}
for (const file of brokenFiles) console.log(`could not be run: ${file.name}`);
if (failedChecks !== '0') console.log(`${failedChecks} checks beside the tests failed`);
if (report.numPendingTests > 0) console.log(`${report.numPendingTests} tests were skipped`);
failed += Number(failedChecks);
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${report.numPassedTests} passed, ${failed} failed`);

function read() {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    console.log(`The test runner left no report: ${error.message}`);
    return null;
  }
}
