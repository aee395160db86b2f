import pino, { type Logger } from "pino";
import { singleton } from "@/lib/core/singleton";

const SECRET_PATHS = [
  "password",
  "secret",
  "token",
  "key",
  "authorization",
  "cookie",
  "credential",
  "apiToken",
  "*.password",
  "*.secret",
  "*.token",
  "*.key",
  "*.authorization",
  "*.cookie",
  "*.credential",
];

/** The process log: JSON lines on standard error, secrets struck out by name. */
export const logger: Logger = singleton("logger", () =>
  pino(
    {
      base: null,
      level: "info",
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_PATHS, censor: "[secret]" },
    },
    pino.destination({ dest: 2, sync: true }),
  ),
);
