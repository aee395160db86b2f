import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));
const alias = {
  "@": root.replace(/\/$/, ""),
  // The marker package throws outside a React server bundle; tests are server code.
  "server-only": `${root}lib/core/server-only-stub.ts`,
};

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          setupFiles: ["lib/testing/quiet.ts"],
          name: "unit",
          include: ["lib/**/*.test.ts", "components/**/*.test.{ts,tsx}", "bench/*.test.ts"],
          exclude: ["**/*.int.test.ts", "**/*.long.test.ts", "node_modules/**"],
        },
      },
      {
        resolve: { alias },
        test: {
          setupFiles: ["lib/testing/quiet.ts", "lib/testing/own-database.ts"],
          name: "int",
          include: ["lib/**/*.int.test.ts"],
          globalSetup: ["lib/testing/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        resolve: { alias },
        test: {
          setupFiles: ["lib/testing/quiet.ts", "lib/testing/own-database.ts"],
          name: "long",
          include: ["lib/**/*.long.test.ts"],
          globalSetup: ["lib/testing/global-setup.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
