// What a key looks like. It keeps none.

// What is wrong with what stands in the field; empty if nothing is.
export function keyProblem(text, direct) {
  if (!text) return "";
  if (direct) {
    return "Your own key works only through this app's server. Choose that route, or empty the field.";
  }
  if (/^[!-~]{20,400}$/.test(text)) return "";
  return "That is no key: it has no spaces, and 20 characters or more. Copy it again from your provider.";
}
