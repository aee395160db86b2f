/* eslint-disable @typescript-eslint/no-deprecated -- the suites still ask for what is on its way out */
import {
  acceptedContent,
  type CallToolResult,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from "@modelcontextprotocol/server";

/** A pixel and a silent sound: the smallest things of their kind. */
export const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

type Schema = Record<string, unknown>;
type Answer = CallToolResult | InputRequiredResult;
export type Changes = {
  readonly tools: () => void;
  readonly prompts: () => void;
  readonly resource: (uri: string) => void;
};
type Run = (ctx: ServerContext, args: Record<string, unknown>, changes: Changes) => Answer | Promise<Answer>;
export type ConformanceTool = {
  readonly inputSchema: Schema;
  readonly run: Run;
  readonly annotations?: { readonly readOnlyHint: boolean };
};

const NO_ARGUMENTS: Schema = { type: "object" };
const text = (words: string): CallToolResult => ({ content: [{ type: "text", text: words }] });
const tool = (run: Run, inputSchema: Schema = NO_ARGUMENTS): ConformanceTool => ({ inputSchema, run });
const one = (name: string): Schema => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name],
});
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

const resource = (uri: string, mimeType: string, body: string) =>
  ({ type: "resource", resource: { uri, mimeType, text: body } }) as const;

const form = (message: string, properties: Schema, required: string[] = Object.keys(properties)): InputRequest =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: "object", properties, required } as Parameters<
      typeof inputRequired.elicit
    >[0]["requestedSchema"] &
      object,
  } as Parameters<typeof inputRequired.elicit>[0]);
const sample = (prompt: string, maxTokens = 100): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens });

const STRING = { type: "string" };

function contentOf(ctx: ServerContext, key: string): Record<string, unknown> | undefined {
  return acceptedContent(ctx.mcpReq.inputResponses, key);
}

/** Asks for one thing, and says what was answered once it was. */
function asking(key: string, request: InputRequest, told: (response: Record<string, unknown>) => string): Run {
  return (ctx) => {
    const response = ctx.mcpReq.inputResponses?.[key];
    return typeof response === "object" && response !== null
      ? text(told(response as Record<string, unknown>))
      : inputRequired({ inputRequests: { [key]: request } });
  };
}

const completed = (response: Record<string, unknown>): string =>
  `Elicitation completed: action=${String(response["action"])}, content=${JSON.stringify(response["content"] ?? {})}`;

const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};
const titled = (...pairs: [string, string][]) => pairs.map(([value, title]) => ({ const: value, title }));
const OPTIONS = ["option1", "option2", "option3"];
const ENUMS = {
  untitledSingle: { type: "string", enum: OPTIONS },
  titledSingle: { type: "string", oneOf: titled(["value1", "First Option"], ["value2", "Second Option"]) },
  legacyEnum: { type: "string", enum: ["opt1", "opt2"], enumNames: ["Option One", "Option Two"] },
  untitledMulti: { type: "array", items: { type: "string", enum: OPTIONS } },
  titledMulti: { type: "array", items: { anyOf: titled(["value1", "First Choice"], ["value2", "Second Choice"]) } },
};

async function log(ctx: ServerContext): Promise<CallToolResult> {
  for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
    await ctx.mcpReq.log("info", data);
    await pause();
  }
  return text("Tool with logging executed successfully");
}

async function progress(ctx: ServerContext): Promise<CallToolResult> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  for (const step of [0, 50, 100]) {
    const params = { progressToken: progressToken ?? 0, progress: step, total: 100, message: `Step ${step}` };
    if (progressToken !== undefined) await ctx.mcpReq.notify({ method: "notifications/progress", params });
    await pause();
  }
  return text(String(progressToken));
}

/** State that nobody can change unnoticed is the state of the outer gateway or the SDK: here it is a plain word. */
function stateful(word: string, done: (ctx: ServerContext) => CallToolResult): Run {
  return (ctx) => {
    const state = ctx.mcpReq.requestState<string>();
    if (state === undefined) {
      return inputRequired({
        inputRequests: { confirm: form("Please confirm", { ok: { type: "boolean" } }) },
        requestState: word,
      });
    }
    if (state !== word) throw new Error("The state is not ours.");
    return done(ctx);
  };
}

/** Wants nothing but another try with its state. */
const putOff: Run = (ctx) =>
  ctx.mcpReq.requestState<string>() === "later" ? text("now") : inputRequired({ requestState: "later" });

const rounds: Run = (ctx) => {
  const state = ctx.mcpReq.requestState<string>();
  if (state === "round-2") return text(`Done: ${JSON.stringify(contentOf(ctx, "step2"))}`);
  if (state === "round-1") {
    const step2 = form("Step 2: What is your favorite color?", { color: STRING });
    return inputRequired({ inputRequests: { step2 }, requestState: "round-2" });
  }
  const step1 = form("Step 1: What is your name?", { name: STRING });
  return inputRequired({ inputRequests: { step1 }, requestState: "round-1" });
};

const several: Run = (ctx) => {
  if (ctx.mcpReq.requestState<string>() === "several") return text("Thank you.");
  const inputRequests = {
    user_name: form("What is your name?", { name: STRING }),
    greeting: sample("Generate a greeting", 50),
    client_roots: inputRequired.listRoots(),
  };
  return inputRequired({ inputRequests, requestState: "several" });
};

const declared = (ctx: ServerContext) =>
  (ctx.mcpReq.envelope as Record<string, unknown> | undefined)?.["io.modelcontextprotocol/clientCapabilities"] as
    | Record<string, unknown>
    | undefined;

const capable: Run = (ctx) => {
  const has = declared(ctx) ?? {};
  const inputRequests = {
    ...("sampling" in has ? { thought: sample("Say something") } : {}),
    ...("elicitation" in has ? { answer: form("Say something", { said: STRING }) } : {}),
  };
  return ctx.mcpReq.inputResponses === undefined ? inputRequired({ inputRequests }) : text("Thank you.");
};

const greeted: Run = (ctx) => {
  const name = contentOf(ctx, "user_name")?.["name"];
  return typeof name === "string"
    ? text(`Hello, ${name}!`)
    : inputRequired({ inputRequests: { user_name: form("What is your name?", { name: STRING }) } });
};

const SCHEMA_2020_12: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: { $anchor: "addressDef", type: "object", properties: { street: STRING, city: STRING } },
  },
  properties: {
    name: STRING,
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: STRING,
    email: STRING,
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

/** What the tool with an argument that travels in a header takes, and its name. */
export const MIRRORED = {
  name: "test_x_mcp_header",
  inputSchema: { type: "object", properties: { region: { ...STRING, "x-mcp-header": "Region" } } },
} as const;

/** What a sampling answer said, of whatever shape. */
const saidBy = (response: Record<string, unknown>): string =>
  String((response["content"] as { text?: unknown } | undefined)?.text ?? "");

/** The tools that the official suites call, by the names and with the behaviour that they ask for. */
export const CONFORMANCE_TOOLS: Readonly<Record<string, ConformanceTool>> = {
  test_simple_text: tool(() => text("This is a simple text response for testing.")),
  test_image_content: tool(() => ({ content: [{ type: "image", data: PIXEL, mimeType: "image/png" }] })),
  test_audio_content: tool(() => ({ content: [{ type: "audio", data: SILENCE, mimeType: "audio/wav" }] })),
  test_embedded_resource: tool(() => ({
    content: [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
  })),
  test_multiple_content_types: tool(() => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      { type: "image", data: PIXEL, mimeType: "image/png" },
      resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
  })),
  test_tool_with_logging: tool(log),
  test_logging_tool: tool(log),
  test_tool_with_progress: tool(progress),
  test_error_handling: tool(() => ({ ...text("This tool intentionally returns an error for testing"), isError: true })),
  test_sampling: tool(
    (ctx, { prompt }, changes) =>
      asking("sampled", sample(String(prompt)), (said) => `LLM response: ${saidBy(said)}`)(ctx, {}, changes),
    one("prompt"),
  ),
  test_elicitation: tool(
    (ctx, { message }, changes) =>
      asking("asked", form(String(message), { response: STRING }), (said) =>
        completed(said).replace("Elicitation completed:", "User response:"),
      )(ctx, {}, changes),
    one("message"),
  ),
  test_elicitation_sep1034_defaults: tool(asking("asked", form("Please review", DEFAULTS, []), completed)),
  test_elicitation_sep1330_enums: tool(asking("asked", form("Please choose", ENUMS, []), completed)),
  json_schema_2020_12_tool: tool((_ctx, args) => text(JSON.stringify(args)), SCHEMA_2020_12),
  test_missing_capability: tool((ctx) => {
    if (declared(ctx)?.["sampling"] === undefined)
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
    return text("The client can sample.");
  }),
  test_streaming_elicitation: tool(greeted),
  test_trigger_tool_change: tool((_ctx, _args, changes) => {
    changes.tools();
    return text("The list of tools has changed.");
  }),
  test_trigger_prompt_change: tool((_ctx, _args, changes) => {
    changes.prompts();
    return text("The list of prompts has changed.");
  }),
  touch_resource: tool((_ctx, { uri }, changes) => {
    changes.resource(String(uri));
    return text("The resource has changed.");
  }, one("uri")),
  test_input_required_result_elicitation: { ...tool(greeted), annotations: { readOnlyHint: true } },
  test_input_required_result_sampling: tool(
    asking("capital_question", sample("What is the capital of France?"), (said) => saidBy(said)),
  ),
  test_input_required_result_list_roots: tool(
    asking("client_roots", inputRequired.listRoots(), ({ roots }) => JSON.stringify(roots)),
  ),
  test_input_required_result_request_state: tool(stateful("begun", () => text("state-ok"))),
  test_input_required_result_tampered_state: tool(stateful("sealed", () => text("state-ok"))),
  test_input_required_result_multiple_inputs: tool(several),
  test_input_required_result_multi_round: tool(rounds),
  test_input_required_result_capabilities: tool(capable),
  test_put_off: tool(putOff),
  [MIRRORED.name]: tool((_ctx, args) => text(JSON.stringify(args)), MIRRORED.inputSchema),
};
