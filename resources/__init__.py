"""Files shipped with the app: fonts, icons, presets, prices, model files, translations."""
