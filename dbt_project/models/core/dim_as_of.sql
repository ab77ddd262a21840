with final as (select * from {{ ref("int_orders__as_of") }}) select * from final
