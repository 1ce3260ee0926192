// Before the script of a component that asks for reruns (page_turn.py). Until page_turn.js is there, nothing stands in
// the way.
const asking = (trigger) => (...what) => (window.rnnvizAsk ?? ((send) => send()))(() => trigger(...what));
const idle = () => window.rnnvizIdle?.() ?? true;

