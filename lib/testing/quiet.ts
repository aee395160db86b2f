import { logger } from "@/lib/core/logger";

/** Tests provoke failures on purpose; what the process would log about them only hides what went wrong. */
logger.level = "silent";
// `boot()` sets the level anew from the settings.
process.env["LOG_LEVEL"] ??= "silent";
