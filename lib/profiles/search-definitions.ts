/** All that the door of a profile in search mode lists. */
export const SEARCH_DEFINITIONS = [
  {
    name: "search_tools",
    title: "Search tools",
    description:
      "Finds tools by what they do. Returns the best matches with their names and input schemas; call one with call_tool.",
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "What you want to do, in a few words" },
        limit: { type: "integer", minimum: 1, maximum: 25, description: "How many matches to return; 8 unless told" },
      },
      required: ["query"],
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: "call_tool",
    title: "Call a tool",
    description: "Calls a tool that search_tools found, by its name, with arguments that fit its input schema.",
    inputSchema: {
      type: "object",
      properties: {
        name: { type: "string", description: "The tool's name as search_tools gave it" },
        arguments: { type: "object", description: "Its arguments" },
      },
      required: ["name"],
    },
  },
] as const;
