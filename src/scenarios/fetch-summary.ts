/** What became of a document that was asked for, in one line, for the results of scenarios. */
import type { FetchReport } from '../../kernel/apps/http-client.ts';

export function summaryOf(report: FetchReport): string {
  if (report.kind === 'error') return `${report.url}: ${report.error.message}`;
  return `${report.url}: ${report.result.status}, ${report.result.bodyBytes} bytes`;
}
