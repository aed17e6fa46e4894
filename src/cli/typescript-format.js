// A hook for Node's module loader: every TypeScript file is an ES module. Node goes by the nearest package.json, and a
// scenario of a user's may lie where there is none, or one that says nothing.

/** Runs in front of tsx's hook of this name, which then translates to the format given here. */
export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  return resolved.url.endsWith('.ts') ? { ...resolved, format: 'module' } : resolved;
}
