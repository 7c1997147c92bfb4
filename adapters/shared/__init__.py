"""What channels of chat platforms have in common: cutting, dressing and pacing of texts. It knows no platform's SDK."""
