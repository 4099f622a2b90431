select 1 from operator.operators limit 0;
