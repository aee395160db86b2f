/** What went wrong, in words a person can act on. Codes come from us and from next-auth. */
const PROBLEMS: Readonly<Record<string, string>> = {
  email_unverified:
    "Your sign-in provider did not confirm your e-mail address, so we cannot tell who you are. Ask its administrator to verify the address.",
  email_taken:
    "This e-mail address already signs in through another provider. Use that one, or ask an administrator to unlink it.",
  origin_refused: "That sign-in was started from another site. Start it here.",
  unknown_provider: "That way to sign in is not configured here.",
  OAuthSignin: "The sign-in provider could not be reached. Try again in a moment.",
  OAuthCallback: "The sign-in could not be completed: it took too long, or was started in another browser. Try again.",
  AccessDenied: "Your sign-in provider refused.",
  SessionRequired: "Sign in to go on.",
};

export const signInProblem = (code: string): string =>
  Object.hasOwn(PROBLEMS, code)
    ? (PROBLEMS[code] ?? "")
    : "The sign-in could not be completed. Try again; if it keeps failing, tell an administrator when it happened.";
