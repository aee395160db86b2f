/** The Redis that tests may use, if there is one; without it their Redis legs say that they did not run. */
export const testRedisUrl: string | undefined =
  process.env["CS_TEST_REDIS_URL"] || process.env["REDIS_URL"] || undefined;
