print("gantryd")
