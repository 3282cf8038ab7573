// Everything the pages need besides htmx. Each module looks for its own data- attributes and does nothing without.
import "./keyboard.js";
import "./dialogs.js";
import "./rows.js";
import "./live.js";
import "./undo.js";
import "./parts.js";
import "./session.js";
