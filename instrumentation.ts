/** Runs once per Next server process. Under plain `next start` this opens everything; behind server.ts that is done already. */
export async function register(): Promise<void> {
  // Next compiles this for its edge runtime as well, which has no sockets, no files and no database.
  if (process.env["NEXT_RUNTIME"] !== "nodejs") return;
  const { boot, hasBooted } = await import("@/lib/gateway/boot");
  if (hasBooted()) return boot();
  const { continueDemo, startDemo } = await import("@/prisma/seed/start-demo");
  await boot({ seed: startDemo });
  continueDemo();
}
