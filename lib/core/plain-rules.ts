import type { z } from "zod";

type RawIssue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

const FORMATS: Readonly<Record<string, string>> = {
  email: "an e-mail address, such as name@example.org",
  url: "an address with its scheme, such as https://example.org",
  uuid: "a UUID",
  datetime: "a time with its zone, such as 2026-01-31T08:00:00Z",
  date: "a date, such as 2026-01-31",
};

const NEEDED = "is required";

/**
 * Says which rule an input breaks, in words that can follow a field's name: "name is required". Given to zod as
 * `schema.safeParse(input, plainRules)`; a rule that a schema words itself keeps its own words.
 */
export const plainRules = { error: ruleOf };

/** Null where zod's own words have to do. */
function ruleOf(issue: RawIssue): string | null {
  if (issue.code === "invalid_type") return typeRule(issue);
  if (issue.code === "too_small") return leastRule(issue);
  if (issue.code === "too_big") return mostRule(issue);
  if (issue.code === "invalid_value") return choiceRule(issue.values);
  if (issue.code === "invalid_format") return formatRule(issue.format);
  if (issue.code === "unrecognized_keys") return `does not know ${issue.keys.join(", ")}`;
  if (issue.code === "not_multiple_of") return `must be a multiple of ${issue.divisor}`;
  return null;
}

function typeRule({ expected, input }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidType>): string | null {
  if (input === undefined) return NEEDED;
  const kind = KINDS[expected];
  return kind === undefined ? null : `must be ${kind}`;
}

function leastRule({ origin, minimum, inclusive }: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall>): string | null {
  const count = Number(minimum);
  if (origin === "string") return count === 1 ? NEEDED : `needs at least ${count} characters`;
  if (origin === "array") return `needs at least ${entries(count)}`;
  if (origin === "number" || origin === "int")
    return `must be ${inclusive === false ? "more than" : "at least"} ${count}`;
  return null;
}

function mostRule({ origin, maximum, inclusive }: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>): string | null {
  const count = Number(maximum);
  if (origin === "string") return `may have at most ${count} characters`;
  if (origin === "array") return `may have at most ${entries(count)}`;
  if (origin === "number" || origin === "int")
    return `must be ${inclusive === false ? "less than" : "at most"} ${count}`;
  return null;
}

const entries = (count: number): string => (count === 1 ? "one entry" : `${count} entries`);

const choiceRule = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.map(String).join(", ")}`;

function formatRule(format: string): string | null {
  const form = FORMATS[format];
  return form === undefined ? null : `must be ${form}`;
}
