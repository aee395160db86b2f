/** What is not published here is a plain 404: clients probe these addresses and take a page or a redirect for a yes. */
const nothing = (): Response =>
  new Response("There is nothing here.\n", { status: 404, headers: { "content-type": "text/plain" } });

export { nothing as GET, nothing as POST };
