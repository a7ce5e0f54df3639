"""Card fraud: simulated payments, features that a stream can keep, the prequential protocol, the model."""

#: Of the experiment and of the registered model.
NAME = "fraud"
