"""A web page that shows what an exported model does, for use in a browser on this computer."""
