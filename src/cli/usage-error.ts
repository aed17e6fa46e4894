/** A request that cannot be carried out as it was put. Its message is shown to the user as it stands. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
