import { expect, it } from "vitest";
import { jointLinks } from "@/lib/mcp/door/names";

const link = (uri: unknown) => ({ type: "resource_link", uri, name: "n" });
const embedded = (uri: string) => ({ type: "resource", resource: { uri, text: "t" } });

it("gives links addresses that can be read again, but for those of the web, and leaves all else alone", () => {
  const text = { type: "text", text: "file:///a" };
  const content = [
    text,
    link("file:///a"),
    link("HTTPS://a.b/c"),
    embedded("file:///b"),
    embedded("http://a/"),
    link(1),
    7,
  ];
  const moved = [...content];
  moved[1] = link("s+file:///a");
  moved[3] = embedded("s+file:///b");
  expect(jointLinks("s", { content, uri: "file:///a" })).toEqual({ content: moved, uri: "file:///a" });
  const messages = [{ role: "user", content: text }, { role: "user", content: embedded("x:y") }, 3];
  expect(jointLinks("s", { messages })).toEqual({
    messages: [messages[0], { role: "user", content: embedded("s+x:y") }, 3],
  });
  for (const plain of [{ content: [text] }, { content: "resource" }, { messages: [] }, {}])
    expect(jointLinks("s", plain)).toBe(plain);
});
